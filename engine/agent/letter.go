package agent

import "lobstead/models"

// What people read who are not looking when a turn waits for them. What the call is given, and what the conversation has
// read, stay out of letters: they may hold what only the page's reader should see, or bait.

func (x *run) letterOfCall(tool, why string) *models.Mail {
	return x.letter(x.inst.Name+" waits for your approval",
		x.inst.Name+" wants to run "+tool+", and that needs a person's approval: "+why+".\n\nThe call waits for a day, then it is denied by itself. See what it is and decide:")
}

func (x *run) letterOfBudget(why string) *models.Mail {
	return x.letter(x.inst.Name+" has reached a budget", x.inst.Name+" has paused in the middle of its work. "+why+"\n\nRaise the limit, switch to a cheaper model, or stop it:")
}

func (x *run) letter(subject, text string) *models.Mail {
	if x.Letters == "" {
		return nil
	}
	if x.session != nil && x.session.Title != "" {
		text = "In the conversation \u201c" + x.session.Title + "\u201d: " + text
	}
	return &models.Mail{Subject: subject, Text: text + "\n\n" + x.Letters + "/approvals\n\nYou can switch these emails off: " + x.Letters + "/settings#you\n"}
}
