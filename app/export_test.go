package app

// SearchPlaces lists the addresses of the pages that the palette knows.
func SearchPlaces() []string {
	out := []string{}
	for _, p := range places {
		out = append(out, p.path)
	}
	return out
}
