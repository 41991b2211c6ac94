//go:build !race

package agent_test

const burstEach = 50
