package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// SecretOverlap is how long a trigger's old secret can stay valid beside the new one.
const SecretOverlap = 24 * time.Hour

// errTriggerOff refuses a call of a trigger that is paused.
var errTriggerOff = fault.New(fault.Forbidden, "trigger.off", "Trigger is disabled")

// triggerSecret makes the secret of a trigger; the others have an empty one.
func (sc *Scope) triggerSecret(a *Automation) (secret.String, []byte, error) {
	if a.Kind != AutomationWebhook {
		return secret.String{}, nil, nil
	}
	token, _ := secret.Token(TriggerSecretPrefix)
	sc.store.learn(token)
	sealed, err := sc.store.box.Seal([]byte(token.Reveal()), a.ID)
	return token, sealed, err
}

// Trigger finds the trigger that a caller from outside names, with the secrets of which a call must prove to know one: the
// newest first. NotFound for everything that is none.
func (sy *System) Trigger(ctx context.Context, automationID string) (*Automation, []secret.String, error) {
	a, err := first[Automation](sy.read(ctx).Where("id = ? AND kind = ?", automationID, AutomationWebhook))
	if err != nil {
		return nil, nil, err
	}
	out, err := sy.store.secretsOf(a.secrets())
	if err != nil {
		return nil, nil, err
	}
	for _, token := range out {
		sy.store.learn(token) // another process may have made it
	}
	return a, out, nil
}

func (a *Automation) secrets() secretRow {
	return secretRow{id: a.ID, sealed: a.SecretSealed, old: a.OldSecretSealed, until: a.OldSecretUntil}
}

// RotateSecret gives a trigger a new secret, which is only returned here. keep leaves the old one valid for SecretOverlap, and
// still older ones till their own end; without it all of them end at once. Conflict when too many are valid.
// Who knows the new one answers for what is called with it.
func (sc *Scope) RotateSecret(ctx context.Context, automationID string, keep bool) (*Automation, secret.String, error) {
	var token secret.String
	a, err := sc.withAutomation(ctx, automationID, "trigger.secret_changed", func(tx *gorm.DB, a *Automation) (map[string]any, error) {
		old, err := first[Automation](tx.Select("id", "secret_sealed", "old_secret_sealed", "old_secret_until").Where("id = ? AND kind = ?", a.ID, AutomationWebhook))
		if err != nil {
			return nil, err
		}
		var sealed []byte
		if token, sealed, err = sc.triggerSecret(a); err != nil {
			return nil, err
		}
		set := map[string]any{"old_secret_sealed": nil, "old_secret_until": nil}
		if keep {
			set, err = sc.store.keepSecrets(old.secrets(), SecretOverlap)
		}
		if err != nil {
			return nil, err
		}
		set["secret_sealed"] = sealed
		sc.answer(set)
		return set, nil
	})
	return a, token, err
}

// EndOldSecret makes a trigger's old secrets invalid at once; Conflict when there is none.
func (sc *Scope) EndOldSecret(ctx context.Context, automationID string) (*Automation, error) {
	return sc.withAutomation(ctx, automationID, "trigger.old_secret_ended", func(_ *gorm.DB, a *Automation) (map[string]any, error) {
		if a.OldSecretUntil == nil || !a.OldSecretUntil.After(sc.store.now()) {
			return nil, fault.New(fault.Conflict, "trigger.no_old_secret", "There is no old secret that is still valid")
		}
		return map[string]any{"old_secret_sealed": nil, "old_secret_until": nil}, nil
	})
}
