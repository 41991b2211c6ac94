package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// earlyRefusal is how long what is refused may be one that is still being noted as sent.
const earlyRefusal = time.Minute

// RefusedByChannel notes that a service gives a message of ours back that it had taken: its delivery is dead, and somebody hears of it. What
// was not sent by us is passed over; one that may be on its way is to be told again: Unavailable.
func (sc *Scope) RefusedByChannel(ctx context.Context, channelID, externalID, why string, at time.Time) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		d, err := first[Delivery](locked(tx).Where("target_id = ? AND external_id = ?", channelID, externalID).Order("id DESC"))
		early := fault.New(fault.Unavailable, "channel.early", "The message is being sent")
		switch {
		case fault.Is(err, fault.NotFound) && sc.store.now().Sub(at) < earlyRefusal:
			return early
		case fault.Is(err, fault.NotFound):
			return nil
		case err != nil:
			return err
		case d.State == DeliveryPending:
			return early
		case !d.State.May(DeliveryRefuse):
			return nil
		}
		p, err := d.Channel()
		if err != nil {
			return err
		}
		set := ended(DeliveryMoves[d.State][DeliveryRefuse], "It was taken, and refused later", sc.store.now())
		set["last_error"] = sc.store.line(why, 1000)
		if _, err := changed(tx.Model(&Delivery{}).Where("id = ?", d.ID), set); err != nil {
			return err
		}
		if _, err := changed(tx.Model(&Message{}).Where("id = ?", p.Ends), map[string]any{"delivered_at": nil}); err != nil {
			return err
		}
		if d, err = first[Delivery](tx.Where("id = ?", d.ID)); err != nil {
			return err
		}
		return sc.store.AsSystem("a message came back").tellOfDead(tx, d)
	})
}
