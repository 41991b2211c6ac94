package when

// Places are the zones of well-known places, by name.
func Places() map[string]string { return places }
