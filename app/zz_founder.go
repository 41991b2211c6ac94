package app

import (
	"strconv"

	"lobstead/kit/fault"
	"lobstead/models"
)

func (a *App) agentOf(c *Ctx) (*models.Instance, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	i, err := c.Scope.Instance(c, id)
	if err == nil && i.Desired == models.WantDeleted {
		err = fault.NotFoundf("instance")
	}
	return i, err
}

// fleetPage is a page of a list: page from 1, limit 1 to 100.
type fleetPage struct{ page, limit int }

func (p fleetPage) skip() int { return (p.page - 1) * p.limit }

func (c *Ctx) fleetPage() (fleetPage, error) {
	page, err := c.queryInt("page", 1, 1, 1_000_000)
	if err != nil {
		return fleetPage{}, err
	}
	limit, err := c.queryInt("limit", 20, 1, 100)
	return fleetPage{page, limit}, err
}

// queryInt reads a whole number of the address; what is none, or is out of bounds, is Invalid.
func (c *Ctx) queryInt(name string, def, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return def, nil
	}
	var is fault.Issues
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		is.WrongType(name, "number", "string")
	case n < least:
		is.NumberTooSmall(name, least)
	case n > most:
		is.NumberTooBig(name, most)
	}
	return n, is.Err()
}
