//go:build race

package agent_test

// The race detector makes the embedded database some twenty times slower.
const burstEach = 4
