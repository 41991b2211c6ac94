package anthropic

// Model is one entry of the list of models.
type Model struct {
	Type        string `json:"type"` // model
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

// Models is the list, whole on its first page.
type Models struct {
	Data    []Model `json:"data"`
	HasMore bool    `json:"has_more"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
}

// NewModels presents a list.
func NewModels(list []Model) Models {
	out := Models{Data: list}
	if n := len(list); n > 0 {
		out.FirstID, out.LastID = &list[0].ID, &list[n-1].ID
	}
	return out
}
