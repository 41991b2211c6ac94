package clock

import (
	"sync"
	"time"
)

var zones sync.Map // by name, of those that exist: some hundreds

// Zone is time.LoadLocation that reads each zone once.
func Zone(name string) (*time.Location, error) {
	if l, ok := zones.Load(name); ok {
		return l.(*time.Location), nil //nolint:forcetypeassert // stored below
	}
	l, err := time.LoadLocation(name)
	if err == nil {
		kept, _ := zones.LoadOrStore(name, l)
		l = kept.(*time.Location) //nolint:forcetypeassert // as above
	}
	return l, err
}
