package models

// Role is what a member may do in an organization.
type Role string

// The roles, from most to least.
const (
	Owner  Role = "OWNER"
	Admin  Role = "ADMIN"
	Member Role = "MEMBER"
)

// Can is a capability that a route or a verb asks for.
type Can string

// The capabilities, in the order of the contract's matrix (cloud-api.md, "Roles").
const (
	CanView            Can = "view"
	CanUseInstances    Can = "use instances" // rename, start, stop, restart, chat
	CanReadFiles       Can = "files:read"    // of workspaces: browse, view, search, download
	CanWriteFiles      Can = "files:write"   // edit, upload, move, delete, archives, put back what a turn changed
	CanUseTerminal     Can = "terminal"      // a shell in the sandbox: for people in a browser, never for a key
	CanCreateInstances Can = "create instances"
	CanDeleteInstances Can = "delete instances"
	CanApprove         Can = "approve"       // let an agent's tool call run that asks for it
	CanManagePolicy    Can = "manage policy" // what agents may do without asking
	CanManageProviders Can = "manage providers"
	CanManageTeam      Can = "manage team"
	CanManageKeys      Can = "manage keys"
	CanEditSettings    Can = "edit settings"
	CanDeleteOrg       Can = "delete organization"
	CanManageBilling   Can = "manage billing"
	CanManageBudgets   Can = "manage budgets"
	CanManageWebhooks  Can = "manage webhooks" // who outside is told of what happens, and what was delivered to whom
	CanViewAudit       Can = "view audit log"
	CanTransfer        Can = "transfer ownership"
	CanInfer           Can = "inference"  // call models through the gateway; the words of the agent API
	CanReadUsage       Can = "usage:read" // what was called, and what it cost
)

// Capabilities lists them in the order of the matrix, for the page "who can do what" and for a key's scopes.
var Capabilities = Scopes{CanView, CanUseInstances, CanReadFiles, CanWriteFiles, CanUseTerminal, CanCreateInstances, CanDeleteInstances, CanInfer, CanReadUsage, CanApprove, CanManagePolicy, CanManageProviders, CanManageTeam,
	CanManageKeys, CanEditSettings, CanManageBudgets, CanManageWebhooks, CanViewAudit, CanManageBilling, CanTransfer, CanDeleteOrg}

// ForKeys tells whether a key can have a capability: what only a browser may do is not a key's to give.
func (c Can) ForKeys() bool { return c != CanUseTerminal }

// Roles lists them, from most to least.
var Roles = []Role{Owner, Admin, Member}

var matrix = map[Can][]Role{
	CanView:            {Owner, Admin, Member},
	CanUseInstances:    {Owner, Admin, Member},
	CanReadFiles:       {Owner, Admin, Member},
	CanWriteFiles:      {Owner, Admin, Member}, // whom an agent obeys in chat, it writes files for too
	CanUseTerminal:     {Owner, Admin},
	CanCreateInstances: {Owner, Admin},
	CanDeleteInstances: {Owner, Admin},
	CanApprove:         {Owner, Admin},
	CanManagePolicy:    {Owner, Admin},
	CanManageProviders: {Owner, Admin},
	CanManageTeam:      {Owner, Admin},
	CanManageKeys:      {Owner, Admin},
	CanEditSettings:    {Owner, Admin},
	CanDeleteOrg:       {Owner},
	CanManageBilling:   {Owner},
	CanManageBudgets:   {Owner, Admin},
	CanManageWebhooks:  {Owner, Admin},
	CanViewAudit:       {Owner, Admin},
	CanTransfer:        {Owner},
	CanInfer:           {Owner, Admin, Member},
	CanReadUsage:       {Owner, Admin, Member},
}

// May tells whether a role has a capability; an unknown one has none.
func (r Role) May(c Can) bool {
	for _, have := range matrix[c] {
		if have == r {
			return true
		}
	}
	return false
}
