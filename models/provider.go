package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Provider is a model service that an organization connected; its key is sealed.
type Provider struct {
	ID             string
	OrganizationID string
	Kind           string
	BaseURL        string
	KeySealed      []byte
	KeyHint        string // the last four characters
	Model          string
	IsDefault      bool
	Private        bool // an operator allowed an address inside the network
	TestedAt       *time.Time
	TestResult     string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// ProviderKinds that can be connected.
var ProviderKinds = []string{"openai", "anthropic", "gemini", "openrouter", "ollama", "openai-compatible"}

// NewProvider is what a person says of a service.
type NewProvider struct {
	Kind, BaseURL, Model string
	Key                  secret.String
	Private              bool
}

// ConnectProvider stores a service and makes it the organization's default; the same kind and address
// replaces the earlier one. An empty key keeps the one that is stored.
func (sc *Scope) ConnectProvider(ctx context.Context, n NewProvider, tested string) (*Provider, error) {
	var is fault.Issues
	if !slices.Contains(ProviderKinds, n.Kind) {
		is.NotOneOf("kind", n.Kind, ProviderKinds...)
	}
	if n.Model == "" {
		is.TooSmall("model", 1)
	}
	CheckText(&is, "model", n.Model, 200)
	CheckText(&is, "base_url", n.BaseURL, 500)
	if err := is.Err(); err != nil {
		return nil, err
	}
	now := sc.store.now()
	row := &Provider{ID: id.New(), OrganizationID: sc.Org, Kind: n.Kind, BaseURL: n.BaseURL, Model: n.Model, IsDefault: true, Private: n.Private,
		TestedAt: &now, TestResult: clip(cleanText(tested), 1000), CreatedAt: now, UpdatedAt: now}
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		old, err := first[Provider](tx.Where("kind = ? AND base_url = ?", n.Kind, n.BaseURL))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if old != nil {
			row.ID, row.KeySealed, row.KeyHint, row.CreatedAt = old.ID, old.KeySealed, old.KeyHint, old.CreatedAt
			if err := tx.Where("id = ?", old.ID).Delete(&Provider{}).Error; err != nil {
				return err
			}
		}
		if !n.Key.Empty() {
			if row.KeySealed, err = sc.store.box.Seal([]byte(n.Key.Reveal()), row.ID); err != nil {
				return err
			}
			row.KeyHint = keyHint(n.Key.Reveal())
		}
		if _, err := changed(tx.Model(&Provider{}).Where("is_default = ?", true), map[string]any{"is_default": false}); err != nil {
			return err
		}
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		return sc.audit(tx, row.act("provider.connected"))
	})
	sc.store.learn(n.Key)
	return row, err
}

func keyHint(key string) string {
	if len(key) < 12 {
		return "…"
	}
	return "…" + key[len(key)-4:]
}

// Providers lists the connected services, the default first.
func (sc *Scope) Providers(ctx context.Context) ([]Provider, error) {
	return all[Provider](sc.brief(ctx).Order("is_default DESC, created_at"))
}

// Provider reads one.
func (sc *Scope) Provider(ctx context.Context, providerID string) (*Provider, error) {
	return first[Provider](sc.read(ctx).Where("id = ?", providerID))
}

// DefaultProvider is the one that instances without their own choice use: NotFound when none is connected.
func (sc *Scope) DefaultProvider(ctx context.Context) (*Provider, error) {
	return first[Provider](sc.read(ctx).Where("is_default = ?", true))
}

// ProviderKey opens a service's key; it goes to the model door and nowhere else.
func (sc *Scope) ProviderKey(p *Provider) (secret.String, error) {
	if len(p.KeySealed) == 0 {
		return secret.String{}, nil
	}
	plain, err := sc.store.box.Open(p.KeySealed, p.ID)
	key := secret.Of(string(plain))
	sc.store.learn(key) // another process may have kept it
	return key, err
}

// UseProvider makes a connected service the default.
func (sc *Scope) UseProvider(ctx context.Context, providerID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := changed(tx.Model(&Provider{}).Where("is_default = ?", true), map[string]any{"is_default": false}); err != nil {
			return err
		}
		hit, err := changed(tx.Model(&Provider{}).Where("id = ?", providerID), map[string]any{"is_default": true, "updated_at": sc.store.now()})
		if err == nil && !hit {
			err = fault.NotFoundf("provider")
		}
		if err != nil {
			return err
		}
		row, err := first[Provider](tx.Where("id = ?", providerID))
		if err != nil {
			return err
		}
		return sc.audit(tx, row.act("provider.made_default"))
	})
}

// DisconnectProvider forgets a service and its key.
func (sc *Scope) DisconnectProvider(ctx context.Context, providerID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		row, err := first[Provider](locked(tx).Where("id = ?", providerID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", providerID).Delete(&Provider{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, row.act("provider.disconnected"))
	})
}

// KeepProviderKey stores a connected service's key without trying it; an empty one forgets the key. had tells whether there
// was one before. Faults: NotFound; Invalid for a key that is too long.
func (sc *Scope) KeepProviderKey(ctx context.Context, providerID string, key secret.String) (had bool, err error) {
	if len(key.Reveal()) > maxKey {
		var is fault.Issues
		is.TooBig("key", maxKey)
		return false, is.Err()
	}
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		row, err := first[Provider](locked(tx).Where("id = ?", providerID))
		if err != nil {
			return err
		}
		had = len(row.KeySealed) > 0
		name := "provider.key_removed"
		row.KeySealed, row.KeyHint = nil, ""
		if !key.Empty() {
			name, row.KeyHint = "provider.key_changed", keyHint(key.Reveal())
			if row.KeySealed, err = sc.store.box.Seal([]byte(key.Reveal()), row.ID); err != nil {
				return err
			}
		} else if !had {
			return nil
		}
		set := map[string]any{"key_sealed": row.KeySealed, "key_hint": row.KeyHint, "updated_at": sc.store.now()}
		if _, err := changed(tx.Model(&Provider{}).Where("id = ?", row.ID), set); err != nil {
			return err
		}
		return sc.audit(tx, row.act(name))
	})
	sc.store.learn(key)
	return had, err
}

// act is what the audit log keeps of a service: never its key.
func (p *Provider) act(name string) act {
	return act{name: name, kind: "provider", id: p.ID, of: p.Kind + " " + p.Model, after: map[string]any{"base_url": p.BaseURL, "key": p.KeyHint}}
}

// ProviderKeys opens every stored key, those of single instances included, so that the scrubber knows what must never be printed.
func (sy *System) ProviderKeys(ctx context.Context) ([]secret.String, error) {
	rows, err := all[Provider](sy.read(ctx).Where("key_sealed IS NOT NULL"))
	if err != nil {
		return nil, err
	}
	own, err := all[InstanceKey](sy.read(ctx))
	if err != nil {
		return nil, err
	}
	for i := range own {
		rows = append(rows, *own[i].provider())
	}
	out := []secret.String{}
	for i := range rows {
		key, err := sy.store.In(rows[i].OrganizationID).ProviderKey(&rows[i])
		if err != nil {
			return nil, err
		}
		if !key.Empty() {
			out = append(out, key)
		}
	}
	return out, nil
}
