//go:build linux && !race

package process_test

const raceDetector = false
