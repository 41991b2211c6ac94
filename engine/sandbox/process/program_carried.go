//go:build handsprogram

package process

import _ "embed"

// carried is the daemon as a program of its own, made by bin/build just before.
//
//go:embed hands.bin
var carried []byte
