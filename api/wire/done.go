package wire

// Done answers an act of a page to a program.
type Done struct {
	Success bool `json:"success"`
}
