package openai

// Model is one entry of the list of models.
type Model struct {
	ID      string `json:"id"`
	Object  string `json:"object"` // model
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// Models is the list.
type Models struct {
	Object string  `json:"object"` // list
	Data   []Model `json:"data"`
}
