package fleet

// Pagination is the family's page of a list.
type Pagination struct {
	Page       int `json:"page"`
	Limit      int `json:"limit"`
	Total      int `json:"total"`
	TotalPages int `json:"total_pages"`
}

// NewPagination counts pages.
func NewPagination(page, limit, total int) Pagination {
	return Pagination{Page: page, Limit: limit, Total: total, TotalPages: (total + limit - 1) / limit}
}

// Named is an id under both of its names: the published pages use either.
type Named struct {
	ID   string `json:"id"`
	UUID string `json:"uuid"`
}

// Name gives both.
func Name(id string) Named { return Named{ID: id, UUID: id} }
