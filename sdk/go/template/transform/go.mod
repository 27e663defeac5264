module my-transform

go 1.24

require lockgate.dev/go v0.0.0

// The SDK that Lockgate brought along.
replace lockgate.dev/go => ../..
