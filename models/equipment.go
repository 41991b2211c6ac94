package models

import "gorm.io/gorm"

// Equipment is what is said of an agent beyond its size, a new one or one that is there: all of it is written together with what else
// is said, or nothing is. nil leaves a thing as it is, or to its default.
type Equipment struct {
	Profile  ProfileChange
	Env      map[string]string // CheckEnv has seen it
	Files    []InstanceFile    // CheckInitialFiles has seen them; kept until the sandbox has them
	Balance  *int64            // output tokens
	Webhooks map[WebhookEvent]string
}

func (e *Equipment) check() error {
	if e == nil {
		return nil
	}
	if err := e.Profile.check(); err != nil {
		return err
	}
	if e.Balance != nil {
		if err := checkBalance(BalanceSet, *e.Balance); err != nil {
			return err
		}
	}
	return checkInstanceWebhooks(e.Webhooks)
}

// equip writes it; the caller holds the organization and owns the ledger.
func (sc *Scope) equip(tx *gorm.DB, i *Instance, e *Equipment) error {
	if e == nil {
		return nil
	}
	if !e.Profile.Empty() {
		if _, err := sc.changeProfile(tx, i, e.Profile); err != nil {
			return err
		}
	}
	if e.Env != nil {
		if err := sc.setEnv(tx, i.ID, e.Env); err != nil {
			return err
		}
	}
	if e.Balance != nil {
		now, err := sc.tokenBalance(tx, i.ID)
		if err == nil {
			err = sc.setTokenBalance(tx, i, now, *e.Balance)
		}
		if err != nil {
			return err
		}
	}
	if err := sc.setInstanceWebhooks(tx, i, e.Webhooks); err != nil {
		return err
	}
	return sc.addFiles(tx, i.ID, e.Files)
}
