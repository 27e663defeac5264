module my-source

go 1.24

require github.com/lockgate/lockgate/sdk/go v0.0.0

// The SDK that Lockgate brought along.
replace github.com/lockgate/lockgate/sdk/go => ../..
