package wire

// Objects reads an array of objects that may be absent; each is read like a body. What is wrong in one is noted in its own
// Issues.
func (f *Fields) Objects(name string) []*Fields {
	v, ok := f.values[name]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		f.Issues.WrongType(name, "array", kindOf(v))
		return nil
	}
	out := make([]*Fields, 0, len(list))
	for _, x := range list {
		object, ok := x.(map[string]any)
		if !ok {
			f.Issues.WrongType(name, "object", kindOf(x))
			return nil
		}
		out = append(out, &Fields{values: object})
	}
	return out
}
