// Owns what is said in the place of what a provider's own tool gave back to a call that was denied. It knows no format.

export const withheldResult = '[Gatewright withheld the result of a denied tool call.]'
