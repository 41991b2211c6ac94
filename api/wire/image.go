package wire

import (
	"encoding/base64"
	"net/http"
	"strings"

	"lobstead/kit/fault"
)

// MaxImages is how many pictures one request may hold.
const MaxImages = 20

// ImageType gives the media type of a picture by its bytes: PNG, JPEG, GIF or WebP, else "".
func ImageType(data []byte) string {
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return kind
	}
	return ""
}

// Image reads a picture from base64, bare or as a data URL, and its media type from its bytes.
func Image(text string) (kind string, data []byte, err error) {
	if _, rest, ok := strings.Cut(text, ","); ok && strings.HasPrefix(text, "data:") {
		text = rest
	}
	data, err = base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(data) == 0 {
		return "", nil, fault.New(fault.Invalid, "image", "The picture is not base64")
	}
	if kind = ImageType(data); kind == "" {
		return "", nil, fault.New(fault.Invalid, "image", "The picture must be PNG, JPEG, GIF or WebP")
	}
	return kind, data, nil
}
