package agent

import (
	"context"
	"fmt"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Label is how a page names what answers.
func (r Route) Label() string {
	if r.Offline {
		return r.Model + " (built in)"
	}
	return r.Model
}

// Labels names what answers in each instance, with one look at the connected services for all of them.
func (d *Door) Labels(ctx context.Context, sc *models.Scope, rows []models.Instance) (map[string]string, error) {
	services, err := sc.Providers(ctx)
	if err != nil {
		return nil, err
	}
	byID, standard := map[string]*models.Provider{}, ""
	for n := range services {
		byID[services[n].ID] = &services[n]
		if services[n].IsDefault {
			standard = services[n].Model
		}
	}
	if standard == "" && len(d.Found) > 0 {
		standard = d.Found[0].Model
	}
	if standard == "" {
		standard = llm.DefaultModel("offline")
	}
	out := make(map[string]string, len(rows))
	for n := range rows {
		label := standard
		if id := rows[n].ProviderID; id != nil && byID[*id] != nil {
			label = byID[*id].Model
		}
		out[rows[n].ID] = or(rows[n].Model, label)
	}
	return out, nil
}

// tryLimit is how long the live test of a connection may take.
const tryLimit = 45 * time.Second

// Try proves a connection with one real call and keeps it when that answers. The error is the provider's own.
// An empty key means the one that is stored for the same service already.
func (d *Door) Try(ctx context.Context, sc *models.Scope, n models.NewProvider) (*models.Provider, llm.Report, error) {
	row := &models.Provider{Kind: n.Kind, BaseURL: n.BaseURL, Private: n.Private}
	if n.Key.Empty() {
		if stored, err := sc.ProviderAt(ctx, n.Kind, n.BaseURL); err == nil {
			if n.Key, err = sc.ProviderKey(stored); err != nil {
				return nil, llm.Report{}, err
			}
		} else if !fault.Is(err, fault.NotFound) {
			return nil, llm.Report{}, err
		}
	}
	p, err := d.connect(row, n.Key)
	if err != nil {
		return nil, llm.Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	if n.Model = or(n.Model, llm.DefaultModel(n.Kind)); n.Model == "" {
		if n.Model, err = firstModel(ctx, p); err != nil {
			return nil, llm.Report{}, err
		}
	}
	report, err := llm.Test(ctx, p, n.Model)
	if err != nil {
		return nil, llm.Report{}, err
	}
	kept, err := sc.ConnectProvider(ctx, n, fmt.Sprintf("%s answered after %d ms", or(report.Model, n.Model), report.First.Milliseconds()))
	return kept, report, err
}

func firstModel(ctx context.Context, p llm.Provider) (string, error) {
	list, err := p.Models(ctx)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", fault.New(fault.Invalid, "llm.no_models", "The service answers but lists no model")
	}
	return list[0].ID, nil
}

// Open begins a conversation with its first message.
func (t *Turns) Open(ctx context.Context, sc *models.Scope, n models.NewSession, in models.Input) (*models.Session, *models.Turn, error) {
	s, err := sc.CreateSession(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	turn, _, err := t.Start(ctx, sc, s.ID, in)
	if err != nil {
		// A refused first message leaves no empty conversation behind.
		if gone := sc.DeleteSession(ctx, s.ID); gone != nil {
			return nil, nil, gone
		}
		return nil, nil, err
	}
	return s, turn, nil
}

// Changed tells who looks that something about a session, not its log, is different: its title, its place.
func (t *Turns) Changed(ctx context.Context, sc *models.Scope, sessionID string) {
	hintSession(ctx, t.Bus, sessionID, 0)
	t.Bus.Publish(ctx, OrgTopic(sc.Org), nil)
}
