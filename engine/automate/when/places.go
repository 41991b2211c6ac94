package when

import (
	"strings"
	"time"

	zones "lobstead/kit/clock"
)

// places are the names of well-known cities, as they are written, and of regions with one time of their own. Those that a zone
// is called after stand under their area; the others name their zone.
var places = map[string]string{}

func init() {
	for area, cities := range map[string]string{
		"Africa":    "Cairo Johannesburg Lagos Nairobi Casablanca Algiers Tunis Accra",
		"America":   "New_York Chicago Denver Los_Angeles Phoenix Anchorage Detroit Toronto Vancouver Winnipeg Edmonton Halifax Mexico_City Bogota Lima Caracas Sao_Paulo Havana Panama Montevideo",
		"Asia":      "Tokyo Seoul Shanghai Hong_Kong Singapore Taipei Manila Jakarta Bangkok Kuala_Lumpur Kolkata Karachi Dhaka Kathmandu Colombo Dubai Riyadh Baghdad Tehran Jerusalem Beirut Tashkent Almaty",
		"Australia": "Sydney Melbourne Brisbane Perth Adelaide Hobart Darwin",
		"Europe": "London Dublin Lisbon Madrid Paris Brussels Amsterdam Berlin Vienna Zurich Rome Prague Warsaw Budapest Copenhagen Stockholm Oslo Helsinki Tallinn Riga Vilnius Athens Sofia Bucharest Belgrade Zagreb " +
			"Ljubljana Bratislava Luxembourg Istanbul Moscow Minsk",
		"Pacific":  "Auckland Honolulu Fiji",
		"Atlantic": "Reykjavik",
	} {
		for _, city := range strings.Fields(cities) {
			places[strings.ToLower(strings.ReplaceAll(city, "_", " "))] = area + "/" + city
		}
	}
	for zone, names := range map[string]string{
		"America/New_York": "boston,miami,atlanta,philadelphia", "America/Chicago": "houston,dallas,austin", "America/Los_Angeles": "san francisco,seattle,san diego,las vegas,california",
		"America/Toronto": "montreal,ottawa", "America/Argentina/Buenos_Aires": "buenos aires", "America/Sao_Paulo": "rio de janeiro,são paulo",
		"Europe/Berlin": "munich,hamburg,frankfurt,cologne,germany", "Europe/Zurich": "geneva,zürich,switzerland", "Europe/Rome": "milan,italy", "Europe/Madrid": "barcelona", "Europe/Kyiv": "kyiv,kiev",
		"Asia/Kolkata": "mumbai,delhi,new delhi,bangalore,bengaluru,chennai,india", "Asia/Shanghai": "beijing,shenzhen", "Asia/Tokyo": "osaka,japan", "Asia/Dubai": "abu dhabi", "Asia/Jerusalem": "tel aviv",
		"Asia/Ho_Chi_Minh": "ho chi minh city,saigon", "Europe/Vienna": "austria",
	} {
		for _, name := range strings.Split(names, ",") {
			places[name] = zone
		}
	}
}

// several are names that people say of more than one zone.
var several = map[string]bool{"eastern": true, "central": true, "mountain": true, "pacific": true, "usa": true, "us": true, "america": true, "russia": true, "canada": true, "australia": true, "brazil": true, "mexico": true, "texas": true}

// place takes a place that stands for its time: "in New York", "in New York time", "Berlin time". A word before "time" that is
// none is asked about when it is written like a name.
func (p *parser) place(in bool) *time.Location {
	for size := 4; size > 0; size-- {
		if p.at+size > len(p.words) {
			continue
		}
		names := make([]string, 0, size)
		for _, t := range p.words[p.at : p.at+size] {
			names = append(names, t.word)
		}
		name, timed := strings.Join(names, " "), p.peek(size) == "time"
		if !in && !timed {
			continue
		}
		said := p.words[p.at].raw
		if zone, known := places[name]; known {
			if at, err := zones.Zone(zone); err == nil {
				p.at += size + btoi(timed)
				return at
			}
		}
		if several[name] || size == 1 && timed && said != name {
			p.stop("“%s” is not the name of exactly one time zone: write it like Europe/Berlin", said)
			return nil
		}
	}
	return nil
}
