package confine

// rulesetAttr is the kernel's struct landlock_ruleset_attr; the size given with it says which fields count.
type rulesetAttr struct {
	fs     uint64 // ABI 1
	net    uint64 // ABI 4
	scoped uint64 // ABI 6
}
