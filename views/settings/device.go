package settings

import "strings"

// What a browser calls itself, most telling first: Edge says it is Chrome, and Chrome that it is Safari.
var browsers = []struct{ token, name string }{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
	{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"HeadlessChrome/", "Chromium"}, {"Chromium/", "Chromium"},
	{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
}

var systems = []struct{ token, name string }{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"},
	{"Macintosh", "macOS"}, {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"},
}

// Device says in words what a user agent is: "Firefox on Linux"; a program is called by its own name.
func Device(agent string) string {
	browser, system := "", ""
	for _, b := range browsers {
		if strings.Contains(agent, b.token) {
			browser = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(agent, s.token) {
			system = s.name
			break
		}
	}
	if browser == "" {
		browser = program(agent)
	}
	switch {
	case browser == "" && system == "":
		return "Unknown browser"
	case browser == "":
		return "Unknown browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// program is the first product name of an agent that is no browser: "curl".
func program(agent string) string {
	name, _, ok := strings.Cut(strings.TrimSpace(agent), "/")
	if !ok || name == "" || len(name) > 40 || name == "Mozilla" || strings.ContainsAny(name, "<>\"' ") {
		return ""
	}
	return name
}
