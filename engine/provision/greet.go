package provision

import (
	"context"

	"lobstead/kit/fault"
)

// sample files give a first conversation something to list, read and search.
var samples = []struct{ path, text string }{
	{"README.md", `# Your workspace

These are the files of this instance. Its agent reads and writes here, and everything stays when the
instance is stopped or restarted.

Try one of these in a chat:

- list the files
- read samples/harbour.md
- search for lobster
- run ` + "`wc -l samples/catch.csv`" + `

The samples are yours to change or delete; they do not come back.
`},
	{"samples/catch.csv", `day,boat,species,kilograms
Monday,Margit,lobster,42
Monday,Seabird,crab,65
Tuesday,Margit,lobster,38
Tuesday,Seabird,mackerel,120
Wednesday,Osprey,crab,51
Thursday,Margit,lobster,47
Friday,Osprey,mackerel,96
`},
	{"samples/harbour.md", `# Harbour notes

- The Margit lands lobster on most days; her skipper likes to be called before six.
- The Seabird is in dry dock from the 12th to the 19th.
- Ice is ordered on Thursdays, twice as much before a holiday.
`},
}

// greet makes sure that the daemon inside answers, and leaves samples in the empty workspace of an instance
// that never ran. A full disk is no reason to refuse to run.
func (h *hold) greet(ctx context.Context) (string, error) {
	hands, err := h.Driver.Hands(ctx, h.row.ID)
	if err != nil {
		return "", err
	}
	defer func() { _ = hands.Close() }()
	if err := hands.Ping(ctx); err != nil || h.row.ObservedGeneration > 0 {
		return "Ready", err
	}
	there, err := hands.List(ctx, ".", 1, 1)
	if err != nil || len(there) > 0 {
		return "Ready", err
	}
	for _, s := range samples {
		if err := hands.WriteFile(ctx, s.path, []byte(s.text), 0o644); err != nil {
			if ctx.Err() != nil {
				return "", err
			}
			return "Ready, without the sample files: " + fault.As(err).Detail, nil
		}
	}
	return "Ready, with sample files to start from", nil
}
