package app

import "lobstead/models"

// channelSteps are how somebody comes by what a service asks for, in the words of that service's own pages.
var channelSteps = map[models.ChannelKind][]string{
	models.TelegramChannel: {
		"On Telegram write to @BotFather, send /newbot, and choose a name and a user name.",
		"Copy the token that it gives you into the field below.",
	},
	models.DiscordChannel: {
		"On discord.com/developers make an application, and on its page Bot press Reset Token: copy the token.",
		"On the same page switch on Message Content Intent.",
		"On the page Installation choose the scope bot with the permissions Send Messages, Attach Files and Read Message History, and open the install link to add it to your server.",
	},
	models.SlackChannel: {
		"On api.slack.com/apps make an app from scratch, in your workspace.",
		"Under OAuth & Permissions add the bot scopes chat:write, im:history, app_mentions:read, channels:history, files:read, files:write and users:read, then install it and copy the bot token.",
		"Either switch on Socket Mode and copy an app-level token with connections:write: that works behind every firewall. Or copy the signing secret from Basic Information.",
		"Under Event Subscriptions subscribe the bot to message.im and app_mention; without Socket Mode give the address that is shown here once it is connected, there and under Interactivity.",
		"Under App Home allow messages in the Messages tab.",
	},
	models.WhatsAppChannel: {
		"On developers.facebook.com make an app of the type Business, and add WhatsApp.",
		"Copy the phone number id, a permanent access token of a system user, and the app secret from the app's basic settings.",
		"Once it is connected, give the address and the verify token that are shown here under WhatsApp, Configuration, and subscribe to messages.",
	},
	models.EmailChannel: {
		"Give the agent a mailbox of its own: it reads every email in it.",
		"Find the names of your provider's IMAP and SMTP servers, and make an app password if it has them.",
	},
}
