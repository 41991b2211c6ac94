package models

import (
	"context"
	"slices"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// GatewayPrefix starts the token of every instance.
const GatewayPrefix = "gw_"

// ByGatewayToken finds the instance that a token belongs to. The principal has no user and no role, and its
// membership names the organization only. A token that is not known is Unauthenticated, one of an instance that is
// being deleted a Conflict.
func (sy *System) ByGatewayToken(ctx context.Context, token secret.String) (*Principal, error) {
	i, err := first[Instance](sy.read(ctx).Omit(notCalled...).Where("gateway_token_hash = ?", secret.Hash(token.Reveal())))
	if fault.Is(err, fault.NotFound) {
		return nil, errUnauthorized
	}
	if err != nil {
		return nil, err
	}
	if i.Desired == WantDeleted {
		return nil, fault.New(fault.Conflict, "instance.deleting", "The instance of this token is being deleted")
	}
	o, err := first[Organization](sy.read(ctx).Where("id = ? AND deleting_at IS NULL", i.OrganizationID))
	if fault.Is(err, fault.NotFound) {
		return nil, errUnauthorized
	}
	if err != nil {
		return nil, err
	}
	return &Principal{Organization: *o, Membership: Membership{OrganizationID: o.ID}, Instance: i}, nil
}

// notCalled are the columns that a call through the gateway does not look at.
var notCalled = slices.Concat(notListed, []string{"gateway_token_sealed"})

// MayInfer is the gate of every call that is no turn: agents are not switched off, and the organization stands.
// Forbidden agents.off, Payment or Forbidden organization.suspended.
func (sc *Scope) MayInfer(ctx context.Context) error {
	if err := sc.AgentsOn(ctx); err != nil {
		return err
	}
	o := sc.known
	if o == nil {
		var err error
		if o, err = sc.Organization(ctx); err != nil {
			return err
		}
	}
	return o.stands()
}

// InstanceNamed finds an instance by id or by name; of several with one name the oldest that is not being deleted.
func (sc *Scope) InstanceNamed(ctx context.Context, name string) (*Instance, error) {
	return first[Instance](sc.read(ctx).Where("desired <> ?", WantDeleted).Where("id = ? OR name = ?", name, name).
		Order(gormCase("id", name, "created_at, id")))
}
