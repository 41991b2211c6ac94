package door

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Labels names the model of each instance, by instance id, for lists; it reads the connected services once.
func (d *Door) Labels(ctx context.Context, sc *models.Scope, rows []models.Instance) (map[string]string, error) {
	list, err := sc.Providers(ctx)
	if err != nil {
		return nil, err
	}
	own, err := sc.InstanceKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range own {
		list = append(list, models.Provider{ID: k.ID, Kind: k.Kind, Model: k.Model})
	}
	out := map[string]string{}
	for _, i := range rows {
		r := Route{Offline: true}
		if found := d.Found(); len(found) > 0 {
			r = Route{Name: found[0].Kind, Model: cmp.Or(i.Model, found[0].Model)}
		}
		own := false
		for _, p := range list {
			mine := i.ProviderID != nil && *i.ProviderID == p.ID
			if mine || p.IsDefault && !own {
				r, own = Route{Name: p.Kind, Model: cmp.Or(i.Model, p.Model)}, mine
			}
		}
		out[i.ID] = r.Label()
	}
	return out, nil
}

// Try connects a service when one real call to it answers, and makes it the organization's default. An empty
// model is the kind's usual one, or the first that the service offers; an empty key is the one stored for the
// same address. The error is the provider's own, or a fault about the input.
func (d *Door) Try(ctx context.Context, sc *models.Scope, n models.NewProvider) (*models.Provider, llm.Report, error) {
	row := &models.Provider{ID: id.New(), OrganizationID: sc.Org, Kind: n.Kind, BaseURL: n.BaseURL, Model: n.Model, Private: n.Private}
	key, err := tryKey(ctx, sc, n)
	if err != nil {
		return nil, llm.Report{}, err
	}
	p, err := d.connect(row, key)
	if err != nil {
		return nil, llm.Report{}, err
	}
	if n.Model, err = tryModel(ctx, p, n); err != nil {
		return nil, llm.Report{}, err
	}
	report, err := llm.Test(ctx, &ledgered{door: d, sc: sc, route: d.route(d.policy(ctx, sc), service{name: p.Name(), kind: n.Kind, provider: p}, n.Model)}, n.Model)
	if err != nil {
		return nil, report, err
	}
	saved, err := sc.ConnectProvider(ctx, n, fmt.Sprintf("%s answered in %s", cmp.Or(report.Model, n.Model), report.Total.Round(time.Millisecond)))
	return saved, report, err
}

func tryKey(ctx context.Context, sc *models.Scope, n models.NewProvider) (secret.String, error) {
	if !n.Key.Empty() {
		return n.Key, nil
	}
	list, err := sc.Providers(ctx)
	if err != nil {
		return n.Key, err
	}
	for i := range list {
		if list[i].Kind == n.Kind && list[i].BaseURL == n.BaseURL {
			return sc.ProviderKey(&list[i])
		}
	}
	return n.Key, nil
}

func tryModel(ctx context.Context, p llm.Provider, n models.NewProvider) (string, error) {
	if m := cmp.Or(n.Model, llm.DefaultModel(n.Kind)); m != "" {
		return m, nil
	}
	list, err := p.Models(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range list {
		if m.Tools {
			return m.ID, nil
		}
	}
	if len(list) == 0 {
		return "", fault.New(fault.Invalid, "llm.no_model", "The service offers no model").Hinting("Load one there, or name it here.")
	}
	return list[0].ID, nil
}
