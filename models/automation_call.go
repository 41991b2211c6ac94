package models

import (
	"context"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// errTriggerOff refuses a call of a trigger that is paused.
var errTriggerOff = fault.New(fault.Forbidden, "trigger.off", "Trigger is disabled")

// Trigger finds the trigger that a caller from outside names, with the secret that the call must prove to know. NotFound
// for everything that is none.
func (sy *System) Trigger(ctx context.Context, automationID string) (*Automation, secret.String, error) {
	a, err := first[Automation](sy.read(ctx).Where("id = ? AND kind = ?", automationID, AutomationWebhook))
	if err != nil {
		return nil, secret.String{}, err
	}
	plain, err := sy.store.box.Open(a.SecretSealed, a.ID)
	token := secret.Of(string(plain))
	sy.store.learn(token) // another process may have made it
	return a, token, err
}
