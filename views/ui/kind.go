package ui

// Kind is what a thing feels like: the colour and the shape of badges, toasts, banners and bars.
type Kind string

// OK is a green disc, Warn an amber square, Bad a red diamond, Info a blue disc, Off a grey ring, Busy a turning ring.
const (
	OK   Kind = "ok"
	Warn Kind = "warn"
	Bad  Kind = "bad"
	Info Kind = "info"
	Off  Kind = "off"
	Busy Kind = "busy"
)

func (k Kind) icon() Icon {
	switch k {
	case OK:
		return IconCircleCheck
	case Warn:
		return IconTriangleAlert
	case Bad:
		return IconCircleAlert
	}
	return IconInfo
}

// live is the politeness of an announcement of this kind.
func (k Kind) role() string {
	if k == Bad {
		return "alert"
	}
	return "status"
}
