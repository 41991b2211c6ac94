package jobs

import (
	"encoding/json"
	"time"

	"lobstead/kit/fault"
)

// The queues, and how often a worker looks into each: a stream of titles cannot starve a start button.
const (
	Critical = "critical"
	Default  = "default"
	Low      = "low"
)

// Queues gives the weights for an asynq server.
func Queues() map[string]int { return map[string]int{Critical: 6, Default: 3, Low: 1} }

// The task names; they stand in Redis across releases and are never given another meaning.
const (
	TaskReconcile = "instance:reconcile"
	TaskMetrics   = "metrics:collect"
	TaskSweep     = "sweep"
	TaskTitle     = "session:title"
	TaskBackup    = "backup:make"
	TaskRehearse  = "backup:rehearse"
	TaskDeliver   = "delivery:send"
)

// ReconcileInstance drives one instance towards what is wanted.
type ReconcileInstance struct {
	Org      string `json:"org"`
	Instance string `json:"instance"`
}

// CollectMetrics takes one sample of every running instance, for the period that began at Period.
type CollectMetrics struct {
	Period time.Time `json:"period"`
}

// SweepRows looks for rows whose task, lease or timer was lost.
type SweepRows struct {
	Period time.Time `json:"period"`
}

// TitleSession names a session after its first exchange.
type TitleSession struct {
	Org     string `json:"org"`
	Session string `json:"session"`
}

// MakeBackup makes the copy of the database that a row asks for.
type MakeBackup struct {
	Backup string `json:"backup"`
}

// RehearseBackup tries whether a copy could be restored.
type RehearseBackup struct {
	Backup string `json:"backup"`
}

// SendDelivery makes an attempt at a row of the outbox.
type SendDelivery struct {
	Delivery string `json:"delivery"`
}

// Decode reads a task's payload into its struct; jobs/work switches over the type.
// Errors: fault.Invalid jobs.unknown and jobs.payload; repeating such a task is pointless.
func Decode(name string, data []byte) (any, error) {
	switch name {
	case TaskReconcile:
		p, err := decode[ReconcileInstance](name, data)
		return p, need(err, p.Org, p.Instance)
	case TaskMetrics:
		p, err := decode[CollectMetrics](name, data)
		return p, need(err, stamp(p.Period))
	case TaskSweep:
		p, err := decode[SweepRows](name, data)
		return p, need(err, stamp(p.Period))
	case TaskTitle:
		p, err := decode[TitleSession](name, data)
		return p, need(err, p.Org, p.Session)
	case TaskBackup:
		p, err := decode[MakeBackup](name, data)
		return p, need(err, p.Backup)
	case TaskRehearse:
		p, err := decode[RehearseBackup](name, data)
		return p, need(err, p.Backup)
	case TaskDeliver:
		p, err := decode[SendDelivery](name, data)
		return p, need(err, p.Delivery)
	}
	return nil, fault.New(fault.Invalid, "jobs.unknown", "Unknown task %q", name)
}

func decode[T any](name string, data []byte) (T, error) {
	var p T
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fault.Wrap(err, fault.Invalid, "jobs.payload", "Task %q has a damaged payload", name)
	}
	return p, nil
}

// need refuses empty fields: a task without its organization would reach past the scope.
func need(err error, fields ...string) error {
	for _, f := range fields {
		if err == nil && f == "" {
			err = fault.New(fault.Invalid, "jobs.payload", "A task lacks a field")
		}
	}
	return err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
