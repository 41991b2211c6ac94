package settings

import (
	"strings"
	"time"

	"lobstead/models"
)

func expired(k *models.APIKey) bool { return k.ExpiresAt != nil && !k.ExpiresAt.After(time.Now()) }

func from(address string) string {
	if address == "" {
		return ""
	}
	return " from " + address
}

func scopeWords(stored string) string { return strings.ReplaceAll(stored, ",", ", ") }
