// Package overview shows the first page. It knows no handler; props are models and plain data.
package overview

import (
	"time"

	"lobstead/models"
	"lobstead/views/layout"
)

// ShowProps is the whole first page.
type ShowProps struct {
	Frame     layout.FrameProps
	Overview  *models.Overview
	Instances []models.Instance // newest first, a few
	Names     map[string]string // instance id → name, for failures
	Checklist []Task            // derived from facts; nil when all is done
	FirstP50  time.Duration     // message to first token, median of 24 hours; 0 = no turn yet
	MayCreate bool
	Models    map[string]string // instance id → what answers there; as in instances.IndexProps
}

// Task is one line of the checklist: done or not is read from what exists, never from a flag.
type Task struct {
	Text string
	Hint string
	Href string
	Done bool
}
