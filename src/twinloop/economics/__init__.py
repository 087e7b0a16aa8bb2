"""Capital, operation, cash flow, carbon and water."""
