package models

import (
	"context"
	"maps"
	"slices"
	"strings"

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

// checkInstanceWebhooks judges addresses before any is written.
func checkInstanceWebhooks(addresses map[WebhookEvent]string) error {
	for _, e := range slices.Sorted(maps.Keys(addresses)) {
		f := WebhookForm{Name: "configuration", URL: addresses[e], Events: []string{string(e)}}
		if err := f.check(); err != nil && f.URL != "" {
			return inConfiguration(err)
		}
	}
	return nil
}

// setInstanceWebhooks changes the addresses of an instance's configuration, which checkInstanceWebhooks has seen: an event with "" is
// told to nobody from then on, one that is not named as before. Endpoints whose address stays keep their secret; a new one's is to be had
// by rotating it. The actor must be allowed to manage webhooks; the caller holds the organization.
func (sc *Scope) setInstanceWebhooks(tx *gorm.DB, i *Instance, addresses map[WebhookEvent]string) error {
	if len(addresses) == 0 {
		return nil
	}
	have, err := all[WebhookEndpoint](locked(tx).Omit(endpointSecrets...).Where("instance_id = ? AND managed", i.ID).Order("id"))
	if err != nil {
		return err
	}
	wanted := map[string][]string{}
	for e, a := range addresses {
		if a = strings.TrimSpace(a); a != "" {
			wanted[a] = append(wanted[a], string(e))
		}
	}
	for n := range have {
		for _, e := range have[n].Chosen() {
			if _, named := addresses[e]; !named {
				wanted[have[n].URL] = append(wanted[have[n].URL], string(e))
			}
		}
		if _, stays := wanted[have[n].URL]; stays {
			continue
		}
		if err := sc.removeEndpoint(tx, &have[n]); err != nil {
			return err
		}
	}
	for _, address := range slices.Sorted(maps.Keys(wanted)) {
		f := WebhookForm{Name: clip(i.Name, 80) + " configuration", URL: address, InstanceID: i.ID, Events: wanted[address], Active: true}
		if err := sc.keepManaged(tx, have, f, slices.Contains(slices.Collect(maps.Values(addresses)), address)); err != nil {
			return err
		}
	}
	return nil
}

// keepManaged makes one address of a configuration an endpoint, or changes the one that it is already; named tells that the change names
// it, which switches it on again.
func (sc *Scope) keepManaged(tx *gorm.DB, have []WebhookEndpoint, f WebhookForm, named bool) error {
	n := slices.IndexFunc(have, func(e WebhookEndpoint) bool { return e.URL == f.URL })
	if n >= 0 {
		f.Private = have[n].Private // an operator said it
	}
	if err := f.check(); err != nil {
		return inConfiguration(err)
	}
	if n < 0 {
		_, _, err := sc.addEndpoint(tx, f, true)
		return err
	}
	was := have[n]
	now := was
	now.Events, now.Active = joinEvents(f.Events), was.Active || named
	if now.Events == was.Events && now.Active == was.Active {
		return nil
	}
	set := map[string]any{"events": now.Events, "active": now.Active, "updated_at": sc.store.now()}
	if now.Active && !was.Active {
		set["off_reason"], set["failing_since"] = "", nil
	}
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
