"""What people wrote, before and while newsroom.markup makes HTML of it: characters, blocks, links, addresses."""
