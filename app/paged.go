package app

// paged takes the row away that was read to know whether there are more, and gives the key of the last one shown,
// after which the next page begins; the zero key when there is none.
func paged[T, K any](rows []T, size int, key func(T) K) (shown []T, next K) {
	if len(rows) <= size {
		return rows, next
	}
	return rows[:size], key(rows[size-1])
}
