package cloud

// Found answers a search of the dashboard; it is ours, no part of the published contract.
type Found struct {
	Query   string `json:"query"`
	Results []Hit  `json:"results"`
}

// Hit is a thing to open at Href, or something to do.
type Hit struct {
	Kind   string     `json:"kind"` // instance, chat, page, member, key, action
	Title  string     `json:"title"`
	Note   string     `json:"note,omitempty"`
	Href   string     `json:"href,omitempty"`
	Action *HitAction `json:"action,omitempty"`
}

// HitAction is the form that does it.
type HitAction struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Field  string `json:"field,omitempty"`
	Value  string `json:"value,omitempty"`
}
