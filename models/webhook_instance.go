package models

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// InstanceWebhooks gives the addresses that an instance's configuration names, by event.
func (sc *Scope) InstanceWebhooks(ctx context.Context, instanceID string) (map[WebhookEvent]string, error) {
	rows, err := all[WebhookEndpoint](sc.read(ctx).Omit(endpointSecrets...).Where("instance_id = ? AND managed", instanceID).Order("id"))
	out := map[WebhookEvent]string{}
	for n := range rows {
		for _, e := range rows[n].Chosen() {
			out[e] = rows[n].URL
		}
	}
	return out, err
}

// SetInstanceWebhooks makes the addresses of an instance's configuration what is given: an event without one, or with "",
// is not told. Endpoints whose address stays keep their secret; a new one's is to be had by rotating it. The actor must
// be allowed to manage webhooks; private is an operator's word, as in WebhookForm.
func (sc *Scope) SetInstanceWebhooks(ctx context.Context, instanceID string, addresses map[WebhookEvent]string, private bool) error {
	wanted := map[string][]string{}
	for _, e := range slices.Sorted(maps.Keys(addresses)) {
		if a := addresses[e]; a != "" {
			wanted[a] = append(wanted[a], string(e))
		}
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		inst, err := first[Instance](tx.Where("id = ? AND desired <> ?", instanceID, WantDeleted))
		if err != nil {
			return err
		}
		have, err := all[WebhookEndpoint](locked(tx).Omit(endpointSecrets...).Where("instance_id = ? AND managed", instanceID).Order("id"))
		if err != nil {
			return err
		}
		for n := range have {
			if _, stays := wanted[have[n].URL]; stays {
				continue
			}
			if err := sc.removeEndpoint(tx, &have[n]); err != nil {
				return err
			}
		}
		for _, address := range slices.Sorted(maps.Keys(wanted)) {
			f := WebhookForm{Name: clip(inst.Name, 80) + " configuration", URL: address, InstanceID: instanceID, Events: wanted[address], Active: true, Private: private}
			if err := sc.keepManaged(tx, have, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepManaged makes one address of a configuration an endpoint, or changes the one that it is already.
func (sc *Scope) keepManaged(tx *gorm.DB, have []WebhookEndpoint, f WebhookForm) error {
	if err := f.check(); err != nil {
		return inConfiguration(err)
	}
	n := slices.IndexFunc(have, func(e WebhookEndpoint) bool { return e.URL == f.URL })
	if n < 0 {
		_, _, err := sc.addEndpoint(tx, f, true)
		return err
	}
	was := have[n]
	now := was
	now.Events, now.Active = joinEvents(f.Events), true
	if now.Events == was.Events && was.Active {
		return nil
	}
	set := map[string]any{"events": now.Events, "active": true, "off_reason": "", "failing_since": nil, "updated_at": sc.store.now()}
	if _, err := changed(tx.Model(&WebhookEndpoint{}).Where("id = ?", was.ID), set); err != nil {
		return err
	}
	return sc.audit(tx, act{name: "webhook.changed", kind: "webhook", id: was.ID, of: was.Name, before: was.figures(), after: now.figures()})
}

// inConfiguration says where the address stood that was refused.
func inConfiguration(err error) error {
	f := fault.As(err)
	if len(f.Fields) == 0 {
		return err
	}
	var is fault.Issues
	for _, i := range f.Fields {
		is.Custom("configuration.webhooks", i.Message)
	}
	return is.Err()
}
