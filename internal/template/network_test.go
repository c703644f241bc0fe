package template

import (
	"slices"
	"testing"
)

// network says what is wrong with network.yaml: the functions must leave by two addresses that stay, in two zones, and the
// ledger must not cost NAT traffic.
func network(template node) []string {
	var f faults
	routes, _ := ofType(template, "AWS::EC2::Route")
	wayOut := map[string]string{} // gateway by route table
	for _, id := range routes {
		p := at(template, "Resources", id, "Properties")
		if text(p, "DestinationCidrBlock") == "0.0.0.0/0" {
			wayOut[target(at(p, "RouteTableId"))] = target(at(p, "NatGatewayId")) + target(at(p, "GatewayId"))
		}
	}
	tables := map[string]string{} // route table by subnet
	associations, _ := ofType(template, "AWS::EC2::SubnetRouteTableAssociation")
	for _, id := range associations {
		p := at(template, "Resources", id, "Properties")
		tables[target(at(p, "SubnetId"))] = target(at(p, "RouteTableId"))
	}
	zone := func(subnet string) any {
		return at(template, "Resources", subnet, "Properties", "AvailabilityZone", "Fn::Select", 0)
	}

	var zones []any
	var addresses []string
	for _, subnet := range list(at(template, "Outputs", "SubnetIds", "Value", "Fn::Join", 1)) {
		id := target(subnet)
		nat := wayOut[tables[id]]
		public := target(at(template, "Resources", nat, "Properties", "SubnetId"))
		address := target(at(template, "Resources", nat, "Properties", "AllocationId"))
		if text(template, "Resources", nat, "Type") != "AWS::EC2::NatGateway" || text(template, "Resources", wayOut[tables[public]], "Type") != "AWS::EC2::InternetGateway" {
			f.add("%s has no way out by a fixed address", id)
		}
		if zone(public) != zone(id) {
			f.add("%s goes out through another zone, so it goes when that one does", id)
		}
		if text(template, "Resources", address, "Type") != "AWS::EC2::EIP" || text(template, "Resources", address, "DeletionPolicy") != "Retain" {
			f.add("%s leaves by %q, which is no address that stays", id, address)
		}
		endpoint := list(at(template, "Resources", "LedgerEndpoint", "Properties", "RouteTableIds"))
		if !slices.ContainsFunc(endpoint, func(t any) bool { return target(t) == tables[id] }) {
			f.add("%s reaches the ledger through NAT", id)
		}
		zones, addresses = append(zones, zone(id)), append(addresses, address)
	}
	if len(zones) != 2 || zones[0] == zones[1] {
		f.add("the functions run in %d subnets of the zones %v", len(zones), zones)
	}
	var told []string
	for _, a := range list(at(template, "Outputs", "Addresses", "Value", "Fn::Join", 1)) {
		told = append(told, target(a))
	}
	f.same("addresses to register", told, addresses)
	group := at(template, "Resources", target(at(template, "Outputs", "SecurityGroupIds", "Value")), "Properties")
	if at(group, "SecurityGroupIngress") != nil || len(list(at(group, "SecurityGroupEgress"))) != 1 || number(group, "SecurityGroupEgress", 0, "ToPort") != 443 {
		f.add("the functions' security group lets in or out more than https to the outside")
	}
	return f
}

func TestTheNetwork(t *testing.T) {
	for _, fault := range network(parseYAML(t, read(t, "network.yaml"))) {
		t.Error(fault)
	}
	for _, f := range []struct {
		name string
		seed func(d node)
		told string
	}{
		{"a subnet that goes out through the other zone", func(d node) { set(d, node{"Ref": "NatA"}, property("PrivateDefaultB", "NatGatewayId")...) }, "PrivateB goes out through another zone, so it goes when that one does"},
		{"no way out", func(d node) { set(d, nil, resource("PrivateDefaultA")...) }, "PrivateA has no way out by a fixed address"},
		{"an address that goes with the stack", func(d node) { set(d, nil, resource("AddressA", "DeletionPolicy")...) }, `PrivateA leaves by "AddressA", which is no address that stays`},
		{"an address that nobody is told", func(d node) { set(d, []any{node{"Ref": "AddressA"}}, "Outputs", "Addresses", "Value", "Fn::Join", 1) }, "addresses to register: AddressB is missing"},
		{"a ledger through NAT", func(d node) { set(d, nil, resource("LedgerEndpoint")...) }, "PrivateA reaches the ledger through NAT"},
		{"one zone", func(d node) {
			for _, id := range []string{"PrivateB", "PublicB"} {
				set(d, 0.0, property(id, "AvailabilityZone", "Fn::Select", 0)...)
			}
		}, "the functions run in 2 subnets of the zones [0 0]"},
	} {
		d := parseYAML(t, read(t, "network.yaml"))
		f.seed(d)
		if told := network(d); !slices.Contains(told, f.told) {
			t.Errorf("%s: nobody said %q; said was %q", f.name, f.told, told)
		}
	}
}
