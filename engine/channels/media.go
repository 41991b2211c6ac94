package channels

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// mediaType says what a file is: by its name, else by its first bytes.
func mediaType(name string, data []byte) string {
	kind := mime.TypeByExtension(strings.ToLower(path.Ext(name)))
	if kind == "" {
		kind = http.DetectContentType(data)
	}
	kind, _, _ = strings.Cut(kind, ";")
	return kind
}
