package admin

import (
	"time"

	"lobstead/jobs"
	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/setup"
)

// HealthProps is the first page.
type HealthProps struct {
	Frame       layout.FrameProps
	Health      *models.Health
	Redis       string        // "embedded" or "Redis"
	RedisPing   time.Duration // 0 = no answer
	Workers     []jobs.Worker
	Queues      []jobs.Queue
	Checks      []setup.Check
	Version, Go string
	Streams     int
	Backup      *models.Backup // the newest finished one, nil for none
}

// UsersProps is the list of people.
type UsersProps struct {
	Frame  layout.FrameProps
	Search Search
	Users  []models.User
}

// UserProps is one person.
type UserProps struct {
	Frame         layout.FrameProps
	User          *models.User
	Self          bool
	Organizations []models.Principal
	SignIns       []models.SignIn
	Form          Form
}

// OrganizationsProps is the list of organizations.
type OrganizationsProps struct {
	Frame         layout.FrameProps
	Search        Search
	Organizations []models.OrganizationRow
}

// OrganizationProps is one.
type OrganizationProps struct {
	Frame        layout.FrameProps
	Organization *models.Organization
	Holdings     models.Holdings
	Members      []models.TeamMember
	Instances    []models.Instance
	Flags        []models.FlagState
	Allowance    models.Allowance
	Form         Form
}

// InstancesProps is the list over all organizations.
type InstancesProps struct {
	Frame     layout.FrameProps
	Search    Search
	Instances []models.InstanceRow
}

// InstanceProps is one.
type InstanceProps struct {
	Frame        layout.FrameProps
	Instance     *models.Instance
	Organization *models.Organization
	Logs         []models.InstanceLog
	Form         Form
}

// JobsProps is what all queues hold.
type JobsProps struct {
	Frame     layout.FrameProps
	Queues    []jobs.Queue
	Workers   []jobs.Worker
	Problem   string // Redis does not answer
	RequestID string
}

// QueueProps is one queue, with its tasks of one state.
type QueueProps struct {
	Frame       layout.FrameProps
	Queue       *jobs.Queue
	State       jobs.State
	Tasks       []jobs.Task
	Newer, Next string // addresses, "" for none
	Form        Form
}

// TaskProps is one task.
type TaskProps struct {
	Frame layout.FrameProps
	Task  *jobs.Task
	Form  Form
}

// FlagsProps is every flag.
type FlagsProps struct {
	Frame     layout.FrameProps
	Flags     []models.FlagState
	Overrides []models.FlagOverride
	Form      Form // its Act is the flag's name
}

// ModelsProps is every connected model service.
type ModelsProps struct {
	Frame     layout.FrameProps
	Search    Search
	Providers []models.ProviderRow
}

// BackupsProps is every backup.
type BackupsProps struct {
	Frame   layout.FrameProps
	Backups []models.Backup
	Dialect string
	Form    Form
}

// Busy tells whether a job works on one.
func (p BackupsProps) Busy() bool {
	for i := range p.Backups {
		if p.Backups[i].Busy() {
			return true
		}
	}
	return false
}

// BackupProps is one.
type BackupProps struct {
	Frame  layout.FrameProps
	Backup *models.Backup
	Form   Form
}

// DeliveriesProps is the outbox over all organizations.
type DeliveriesProps struct {
	Frame      layout.FrameProps
	Search     Search
	Deliveries []models.DeliveryRow
	Mails      bool // a mail server is configured
	Form       Form // of a test letter
}

// DeliveryProps is one.
type DeliveryProps struct {
	Frame    layout.FrameProps
	Delivery *models.DeliveryRow
	Form     Form
}
