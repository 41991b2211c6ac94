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

// InstanceKey is a key that one instance alone reaches its models with: it then asks no other service. Instance.ProviderID
// names it (docs/adr/0023-an-instances-own-key.md).
type InstanceKey struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Kind           string
	Model          string
	KeySealed      []byte
	KeyHint        string
	CreatedAt      time.Time
}

// OwnKey is a key for one instance; an empty one gives the instance back to the organization's services.
type OwnKey struct {
	Kind  string // one of ProviderKinds
	Model string // that answers when the instance names none
	Key   secret.String
}

const maxKey = 1000 // characters

func (k *OwnKey) check(is *fault.Issues) {
	switch {
	case k.Key.Empty():
	case !slices.Contains(ProviderKinds, k.Kind):
		is.NotOneOf("kind", k.Kind, ProviderKinds...)
	case len(k.Key.Reveal()) > maxKey:
		is.TooBig("key", maxKey)
	}
}

// provider is the key as a service that may be asked.
func (k *InstanceKey) provider() *Provider {
	return &Provider{ID: k.ID, OrganizationID: k.OrganizationID, Kind: k.Kind, Model: k.Model, KeySealed: k.KeySealed, KeyHint: k.KeyHint, CreatedAt: k.CreatedAt, UpdatedAt: k.CreatedAt}
}

// ServiceOf reads the service that was chosen for an instance: its own key's, or one of the organization's. Nil when none
// was chosen, or when it is connected no more.
func (sc *Scope) ServiceOf(ctx context.Context, i *Instance) (*Provider, error) {
	if i.ProviderID == nil || *i.ProviderID == "" {
		return nil, nil
	}
	own, err := first[InstanceKey](sc.read(ctx).Where("id = ? AND instance_id = ?", *i.ProviderID, i.ID))
	if err == nil {
		return own.provider(), nil
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	row, err := sc.Provider(ctx, *i.ProviderID)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return row, err
}

// OwnKeyHint is what an instance's own key ends in; "" = it has none.
func (sc *Scope) OwnKeyHint(ctx context.Context, i *Instance) (string, error) {
	own, err := first[InstanceKey](sc.read(ctx).Where("instance_id = ?", i.ID))
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return own.KeyHint, nil
}

// InstanceKeys lists the organization's instances' own keys.
func (sc *Scope) InstanceKeys(ctx context.Context) ([]InstanceKey, error) {
	return all[InstanceKey](sc.read(ctx).Order("id"))
}

// giveKey has a new instance ask the service of its own key; nil = it has none.
func (sc *Scope) giveKey(tx *gorm.DB, i *Instance, k *OwnKey) error {
	if k == nil {
		return nil
	}
	sc.store.learn(k.Key)
	var err error
	if i.ProviderID, err = sc.setKey(tx, i.ID, *k); err == nil {
		_, err = changed(tx.Model(&Instance{}).Where("id = ?", i.ID), map[string]any{"provider_id": i.ProviderID})
	}
	return err
}

// setKey replaces an instance's own key inside a transaction, and gives the instance's new service.
func (sc *Scope) setKey(tx *gorm.DB, instanceID string, k OwnKey) (*string, error) {
	if err := tx.Where("instance_id = ?", instanceID).Delete(&InstanceKey{}).Error; err != nil || k.Key.Empty() {
		return nil, err
	}
	row := &InstanceKey{ID: id.New(), OrganizationID: sc.Org, InstanceID: instanceID, Kind: k.Kind, Model: k.Model, KeyHint: keyHint(k.Key.Reveal()), CreatedAt: sc.store.now()}
	var err error
	if row.KeySealed, err = sc.store.box.Seal([]byte(k.Key.Reveal()), row.ID); err != nil {
		return nil, err
	}
	return &row.ID, tx.Create(row).Error
}
