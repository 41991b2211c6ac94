// Package clienttest drives the published clients of OpenAI and Anthropic, unchanged, against a whole server: in Go, and
// with npm's. For tests only; it is a package of its own because the clients take long to build.
package clienttest
