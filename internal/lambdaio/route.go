package lambdaio

import (
	"net/url"
	"strings"

	"github.com/kesu-go/kesu/pkg/wire"
)

// place is what an HTTP request asks for: the action, and the merchant and complaint that its path names.
type place struct {
	action              wire.Action
	merchant, complaint string
}

// place finds it by the path, or, for a request with path parameters, by those.
//
// API Gateway has matched a path before it gives parameters, and under a custom domain the path begins with more than
// the route. So an action beside the first one is told by how the path ends and by its having no more parameters than
// the route; everything else is for the first one. A function URL, and a catch-all route, give no parameters.
func (e httpEvent) place(actions []wire.Action) (place, bool) {
	if e.merchant != "" || e.complaint != "" {
		for _, a := range actions[1:] {
			last := a.Route()[strings.LastIndexByte(a.Route(), '/'):]
			if strings.HasSuffix(e.path, last) && (e.complaint != "") == strings.Contains(a.Route(), "{complaint_id}") {
				return place{a, e.merchant, e.complaint}, true
			}
		}
		return place{actions[0], e.merchant, e.complaint}, true
	}
	for _, a := range actions {
		if p, ok := match(a, e.path); ok {
			return p, true
		}
	}
	return place{}, false
}

// match reads a path as an action's route.
func match(action wire.Action, path string) (place, bool) {
	p := place{action: action}
	route, parts := strings.Split(action.Route(), "/"), strings.Split(path, "/")
	if len(parts) != len(route) {
		return p, false
	}
	for i, segment := range route {
		value, err := url.PathUnescape(parts[i])
		switch {
		case err != nil:
			return p, false
		case segment == "{merchant}":
			p.merchant = value
		case segment == "{complaint_id}":
			p.complaint = value
		case segment != parts[i]:
			return p, false
		}
	}
	return p, true
}

// actions are all that the function takes by HTTP, its own first.
func (h *Handler) actions() []wire.Action { return append([]wire.Action{h.Action}, h.ByHTTP...) }

// routes are the paths of actions, in a message's words.
func routes(actions []wire.Action) string {
	var paths []string
	for _, a := range actions {
		paths = append(paths, a.Route())
	}
	return strings.Join(paths, " or ")
}
