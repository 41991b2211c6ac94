package settings

import "lobstead/models"

// now says what answers at present.
func (p ModelsProps) now() string {
	for _, s := range p.Providers {
		if s.IsDefault {
			return "Turns are answered by " + p.Form.name(s.Kind) + " with " + s.Model + ". A service that you connect takes over from the next turn on."
		}
	}
	if len(p.Environment) > 0 {
		f := p.Environment[0]
		who := f.Name
		if f.Model != "" {
			who += " with " + f.Model
		}
		return "Turns are answered by " + who + ", found in the environment. A service that you connect here takes over from the next turn on."
	}
	return "The built-in offline model answers now: it runs commands, but it does not think. A service that you connect takes over from it at once."
}

// kind is the chosen service: the first unless another was sent.
func (f ModelForm) kind() string {
	for _, k := range f.Kinds {
		if k.Value == f.Kind {
			return f.Kind
		}
	}
	if len(f.Kinds) > 0 {
		return f.Kinds[0].Value
	}
	return ""
}

// name is what people call a kind of service.
func (f ModelForm) name(kind string) string {
	for _, k := range f.Kinds {
		if k.Value == kind {
			return k.Name
		}
	}
	return kind
}

// providerNote says where a service is and which key it uses.
func providerNote(s *models.Provider) string {
	note := "no key"
	if s.KeyHint != "" {
		note = "key " + s.KeyHint
	}
	if s.BaseURL != "" {
		note = s.BaseURL + " · " + note
	}
	return note
}
