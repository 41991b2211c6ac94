// Package instances shows deployed agents: list, creation, detail. It knows no handler; props are models and plain data.
package instances

import (
	"time"

	"lobstead/models"
	"lobstead/views/layout"
)

// IndexProps is the list at /instances; Rows are ready-made lines so that a long list costs little.
type IndexProps struct {
	Frame     layout.FrameProps
	Instances []models.Instance
	Models    map[string]string // instance id → what answers there: "offline-1", "auto → …"
	MayCreate bool
	BaseURL   string // for "as curl"
	Query     string // what the list is filtered by: "?q="; the handler filters
	Problem   string // the list could not be read: what happened
	RequestID string // of that failure
}

// NewProps is the creation form at /instances/new; it posts to /instances.
type NewProps struct {
	Frame   layout.FrameProps
	Name    string
	Region  string
	Tier    string
	Errors  map[string]string // field → sentence; "" = the whole form
	Plans   []models.Plan     // what the tiers give
	BaseURL string
	// Forbidden: this person may not deploy; the page says who can.
	Forbidden bool
}

// Regions that the form offers; the API takes any non-empty word.
var Regions = []string{"local", "us-east-1", "eu-central-1", "ap-south-1"}

// ShowProps is one instance at /instances/:id.
type ShowProps struct {
	Frame                    layout.FrameProps
	Instance                 *models.Instance
	Steps                    []models.InstanceStep
	Logs                     []models.InstanceLog    // newest first
	Metrics                  []models.InstanceMetric // newest first
	Isolation                []models.Layer          // measures of the running sandbox, applied or not
	Sessions                 []models.Session
	Model                    string // what answers: provider and model
	Automations              Automated
	GatewayURL, GatewayToken string              // token "" unless RUNNING
	Profile                  models.AgentProfile // what is said of it
	Waiting                  int                 // messages that are not begun
	MayUse                   bool
	MayDelete                bool
	MayManageKeys            bool
	OwnKey                   string // what a key of its own ends in; "" = it has none
	BaseURL                  string
	Errors                   map[string]string    // of the rename and tier form; "confirm" of the deletion
	Plans                    []models.Plan        // what the tiers give
	Budgets                  []models.BudgetState // that it falls under
	SessionTotal             int                  // when Sessions holds only the newest; 0 = len(Sessions)
}

// Automated is what runs by itself on an instance.
type Automated struct {
	Count  int
	Next   *time.Time            // when the first of them is due, nil: none is
	Failed *models.AutomationRun // the newest last run that failed, nil: none did
	Name   string                // of what failed
}
