"""The peers, one file each: how it is trained, stored, loaded and asked, as its users do it. ``engine`` times them."""
