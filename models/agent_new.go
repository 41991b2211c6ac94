package models

import "gorm.io/gorm"

// NewAgent is what an instance begins with beyond its size: all of it is written with the instance, or nothing is.
type NewAgent struct {
	Profile ProfileChange
	Env     map[string]string // CheckEnv has seen it
	Files   []InstanceFile    // CheckInitialFiles has seen them
	Balance *int64            // output tokens; nil = not limited
}

func (n *NewAgent) check() error {
	if n == nil {
		return nil
	}
	if err := n.Profile.check(); err != nil {
		return err
	}
	if n.Balance != nil {
		return checkBalance(BalanceSet, *n.Balance)
	}
	return nil
}

// equip writes what an instance begins with; the caller owns the ledger.
func (sc *Scope) equip(tx *gorm.DB, i *Instance, n *NewAgent) error {
	if n == nil {
		return nil
	}
	if _, err := sc.changeProfile(tx, i, n.Profile); err != nil {
		return err
	}
	if len(n.Env) > 0 {
		if err := sc.setEnv(tx, i.ID, n.Env); err != nil {
			return err
		}
	}
	if n.Balance != nil {
		if err := sc.setTokenBalance(tx, i, TokenBalance{}, *n.Balance); err != nil {
			return err
		}
	}
	return sc.addFiles(tx, i.ID, n.Files)
}
