//go:build !handsprogram

package process

// carried is empty in what plain `go build` makes: the program itself is the daemon then.
var carried []byte
