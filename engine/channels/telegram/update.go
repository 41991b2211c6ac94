package telegram

// What is read of the Bot API's types: the few fields that matter here, so that what Telegram adds or changes elsewhere never keeps
// an update from being read. https://core.telegram.org/bots/api#available-types

type update struct {
	ID       int64    `json:"update_id"`
	Message  *message `json:"message"`
	Edited   *message `json:"edited_message"`
	Callback *struct {
		ID      string   `json:"id"`
		From    user     `json:"from"`
		Message *message `json:"message"`
		Data    string   `json:"data"`
	} `json:"callback_query"`
	Member *struct {
		Chat chat  `json:"chat"`
		From user  `json:"from"`
		Date int64 `json:"date"`
		New  struct {
			Status string `json:"status"`
			Inside *bool  `json:"is_member"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

type user struct {
	ID       int64  `json:"id"`
	Bot      bool   `json:"is_bot"`
	First    string `json:"first_name"`
	Last     string `json:"last_name"`
	Username string `json:"username"`
	ReadsAll bool   `json:"can_read_all_group_messages"`
}

type chat struct {
	ID       int64  `json:"id"`
	Type     string `json:"type"`
	Title    string `json:"title"`
	Username string `json:"username"`
	First    string `json:"first_name"`
	Last     string `json:"last_name"`
}

type message struct {
	ID       int64    `json:"message_id"`
	Thread   int64    `json:"message_thread_id"`
	Topic    bool     `json:"is_topic_message"`
	From     *user    `json:"from"`
	Sender   *chat    `json:"sender_chat"`
	Chat     chat     `json:"chat"`
	Date     int64    `json:"date"`
	EditDate int64    `json:"edit_date"`
	Reply    *message `json:"reply_to_message"`
	Created  *struct {
		Name string `json:"name"`
	} `json:"forum_topic_created"`

	Text            string   `json:"text"`
	Entities        []entity `json:"entities"`
	Caption         string   `json:"caption"`
	CaptionEntities []entity `json:"caption_entities"`

	Photo     []attachment `json:"photo"`
	Document  *attachment  `json:"document"`
	Audio     *attachment  `json:"audio"`
	Voice     *attachment  `json:"voice"`
	Video     *attachment  `json:"video"`
	VideoNote *attachment  `json:"video_note"`
	Animation *attachment  `json:"animation"`
	Sticker   *struct {
		Emoji string `json:"emoji"`
	} `json:"sticker"`
	Contact *struct {
		Phone string `json:"phone_number"`
		First string `json:"first_name"`
		Last  string `json:"last_name"`
	} `json:"contact"`
	Location *place `json:"location"`
	Venue    *struct {
		Title   string `json:"title"`
		Address string `json:"address"`
	} `json:"venue"`
	Poll *struct {
		Question string `json:"question"`
		Options  []struct {
			Text string `json:"text"`
		} `json:"options"`
	} `json:"poll"`
	Dice *struct {
		Emoji string `json:"emoji"`
		Value int    `json:"value"`
	} `json:"dice"`
}

type place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// entity is a part of a text, counted in UTF-16 units.
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	User   *user  `json:"user"`
}

type attachment struct {
	FileID string `json:"file_id"`
	Name   string `json:"file_name"`
	Type   string `json:"mime_type"`
	Size   int64  `json:"file_size"`
}
