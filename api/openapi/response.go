package openapi

import "strconv"

// Failure says what a status means, whichever operation answers it.
var Failure = map[int]string{
	400: "The request is wrong; the body says where",
	401: "No credential, or one that is not valid any more",
	402: "A budget is used up; Retry-After says when it starts again",
	403: "Not allowed for this role or key, or a limit is reached",
	404: "There is no such thing, or it is not yours",
	409: "It exists already, or its state does not allow this now",
	413: "The body is too large",
	429: "Too many requests; Retry-After says when to try again",
	500: "Our fault; the log has the reason under X-Request-Id",
	502: "Another service failed",
	503: "Not available right now",
	504: "It took too long",
	422: "It could mean two things, or nothing: the hint says what is missing",
}

// failureName is the component of a status in a family's words.
func failureName(family string, status int) string { return family + strconv.Itoa(status) }

// failures are the error answers of both families.
func failures() object {
	out := object{}
	for family, component := range map[string]string{"cloud": "Error", "agent": "AgentError"} {
		for status, say := range Failure {
			with := object{"X-Request-Id": ref("headers", "X-Request-Id")}
			if status == 429 {
				for _, name := range []string{"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
					with[name] = ref("headers", name)
				}
			}
			out[failureName(family, status)] = object{"description": say, "headers": with,
				"content": object{"application/json": object{"schema": ref("schemas", component)}}}
		}
	}
	return out
}

func header(say string, kind string) object {
	return object{"description": say, "schema": object{"type": kind}}
}

// headers that answers carry. A call with a key is counted; a browser's is not, so its answers lack RateLimit-*.
var headers = object{
	"X-Request-Id":        header("Names the request in the server's log.", "string"),
	"Retry-After":         header("Seconds until the next try.", "integer"),
	"RateLimit-Limit":     header("Requests that the key has in a minute.", "integer"),
	"RateLimit-Remaining": header("How many of them are left.", "integer"),
	"RateLimit-Reset":     header("Seconds until all of them are back.", "integer"),
}

func headersOf(o *Operation) object {
	out := object{"X-Request-Id": ref("headers", "X-Request-Id")}
	if !o.Public() {
		for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
			out[name] = ref("headers", name)
		}
	}
	return out
}

var securitySchemes = object{
	"key":     object{"type": "http", "scheme": "bearer", "bearerFormat": "lob_…", "description": "A key of your organization."},
	"keyName": object{"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same key in another header."},
	"browser": object{"type": "apiKey", "in": "cookie", "name": "lobstead", "description": "A signed-in browser; over HTTPS the cookie is called __Host-lobstead."},
}

// security lists the credentials of which one is enough.
func security(o *Operation) []object {
	switch {
	case o.Public():
		return []object{}
	case o.Caller == Person:
		return []object{{"browser": []string{}}}
	}
	return []object{{"key": []string{}}, {"keyName": []string{}}, {"browser": []string{}}}
}
